#: exit 2
#: stderr bitseer inject: --transient and --persist exclude each other
#: stderr bitseer inject: --faults and --plan exclude each other
#: stderr bitseer analyze: --plan and --sampling exclude each other
#: stderr bitseer analyze: --faults and --sampling exclude each other
#: stderr bitseer plan: --transient and --persist exclude each other
#: stderr bitseer export: --csv, --json and --faults exclude each other
# Before anything is read: there is no such model.
bitseer inject none.onnx --data idx:x,y -t weight --persist --transient
bitseer inject none.onnx --data idx:x,y -t weight --plan exhaustive --faults list
bitseer analyze none.onnx --data idx:x,y -t weight --sampling complete --plan exhaustive
bitseer analyze none.onnx --data idx:x,y -t weight --sampling complete --faults list
bitseer plan none.onnx -t weight --persist --transient
bitseer export none.db --csv --json
