# Flags of every target. -ffp-contract=off and no -ffast-math anywhere: which operations are fused
# is written in the source, because results must have the same bits on every processor.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wno-unused-parameter -ffp-contract=off -fno-math-errno -fno-trapping-math)
if(BSR_WERROR)
  add_compile_options(-Werror)
endif()
if(BSR_SANITIZE)
  add_compile_options(-fsanitize=${BSR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BSR_SANITIZE})
endif()
add_compile_definitions(BSR_VERSION="${PROJECT_VERSION}")
set(CMAKE_C_FLAGS_RELEASE "-O3")
