#: stdout usage: bitseer COMMAND MODEL [options]
#: stdout~ *
#: stdout   inspect  MODEL      layers of a network and the size of its fault space
#: stdout   eval     MODEL      accuracy of the fault-free network
#: stdout   plan     MODEL      how many faults a plan injects, without injecting them
#: stdout   inject   MODEL      inject faults one by one
#: stdout   analyze  MODEL      vulnerability factors of layers, channels, bits and the network
#: stdout   sweep    MODEL      accuracy against bit error rate
#: stdout   predict  MODEL      accuracy against bit error rate from statistical models
#: stdout   run      SPEC.yaml  a command with its options from a file
#: stdout   resume   RUN.db     go on with a run that was stopped
#: stdout   show     RUN.db     the result of a run that is kept in a database
#: stdout   export   RUN.db     every fault of a run that is kept in a database, one a line
#: stdout   compare  A.db B.db  two runs of the same faults, fault by fault
#: stdout   protect  RUN.db     what a protection would buy, from a run in a database
#: stdout   vvr      RUN.db     values at which faults become critical, and what range checks catch
#: stdout   report   RUN.db...  runs as one page for a browser, which needs no network
#: stdout~ *
bitseer --help >a && bitseer help >b && bitseer -h >c && cmp a b && cmp a c && cat a
