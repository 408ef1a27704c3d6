#: exit 2
#: stderr~ bitseer inject: cannot read '*/none': No such file or directory
#: stderr~ bitseer inject: '*/list' line 1: expected 'bitseer faults 1'*
#: stderr~ bitseer inject: '*/list' line 3: 'format', expected 'sha256 '*as the last line
#: stderr~ bitseer inject: '*/list' line 5: the bytes before have SHA-256 *: the list was changed or cut
#: stderr~ bitseer inject: '*/list' lists no fault
#: stderr~ bitseer inject: '*/list' line 5: the fault '9 0 - ff 1' is there twice
#: stderr~ bitseer inject: '*/list' line 4: layer 10 does not exist or is not selected
#: stderr~ bitseer inject: '*/list' line 4: layer 9 ('/fc/Gemm') has 480 elements, no element 480
#: stderr~ bitseer inject: '*/list' line 2: 'target weight', but the run's target is 'bias'
make_idx 28 1
run() {
    bitseer inject "$demo" --data idx:x,y -t "${target:-weight}" --faults "${1:-list}" --out run.db
}
list() {
    printf '%s\n' 'bitseer faults 1' 'target weight' 'format' "$@" >list
    echo "sha256 $(sha256sum <list | cut -d ' ' -f 1)" >>list
}
run none
printf 'bitseer faults 1\r\n' >list && run
list '9 0 - ff 1' && head -n 3 list >cut && mv cut list && run
list '9 0 - ff 1' && sed -i '4s/1$/2/' list && run
list && run
list '9 0 - ff 1' '9 0 - ff 1' && run
list '10 0 - ff 1' && run
list '9 480 - ff 1' && run
list '9 0 - ff 1'
target=bias run
status=$?
[ ! -e run.db ] || exit 9
exit $status
