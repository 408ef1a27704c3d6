# cmake -DINPUT=FILE -DOUTPUT=FILE.c -DNAME=name -P embed.cmake: a file as the C array name[], with a
# 0 behind it, and its length name_bytes. Needs no program but CMake.
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR bytes "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
get_filename_component(from ${INPUT} NAME)
file(WRITE ${OUTPUT}
  "/* Made of ${from} by cmake/embed.cmake. */\n#include <stddef.h>\n\n"
  "extern const unsigned char ${NAME}[];\nextern const size_t ${NAME}_bytes;\n"
  "const unsigned char ${NAME}[] = {\n${hex}0};\nconst size_t ${NAME}_bytes = ${bytes};\n")
