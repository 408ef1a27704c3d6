#: stdout usage: bitseer COMMAND MODEL [options]
#: stdout~ *
#: stdout   inspect   layers of a network and the size of its fault space
#: stdout   eval      accuracy of the fault-free network
#: stdout   inject    inject single bit flips one by one
#: stdout   analyze   vulnerability factors of layers, channels, bits and the network
#: stdout~ *
bitseer --help >a && bitseer help >b && bitseer -h >c && cmp a b && cmp a c && cat a
