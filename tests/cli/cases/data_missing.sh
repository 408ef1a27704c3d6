#: exit 1
#: stderr bitseer eval: cannot read 'x': No such file or directory
#: stderr~ bitseer eval: *cannot read 'card.yaml': No such file or directory
bitseer eval "$demo" --data idx:x,y
bitseer eval "$demo" --data card.yaml
