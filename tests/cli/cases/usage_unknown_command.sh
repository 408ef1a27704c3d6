#: exit 2
#: stderr bitseer: unknown command 'analyse', did you mean 'analyze'?
#: stderr bitseer: unknown command 'frobnicate', see bitseer --help
#: stderr bitseer: unknown command 'inject2', did you mean 'inject'?
bitseer analyse
bitseer frobnicate
bitseer help inject2
