#: stdout 0
bitseer help --man >page
command -v man >/dev/null || { echo "skipped: no man"; exit 77; }
# groff says on stderr what it does not understand; every option must come out.
MANROFFSEQ='' MANWIDTH=80 man --warnings=all -l page >text
for command in analyze sweep predict export run report; do bitseer help $command; done | grep -o -- ' --[a-z-]*' | while read -r name; do
    grep -q -- "$name" text || echo "missing $name"
done
echo $?
