#: exit 2
#: stderr~ bitseer eval: data 'mnist' is none of cifar10:FILE*, and CARD.yaml
bitseer eval "$demo" --data mnist
