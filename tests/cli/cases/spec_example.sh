#: stdout~ inject: *target weight*
#: stdout~ *MVF *
# The example of the guide, with a wider margin to be quick. Its relative names start at its folder.
need_fashion
sed 's/^margin:.*/margin: 0.2/' "$root/examples/campaign.yaml" >s.yaml
mkdir examples
mv s.yaml examples
ln -s "$root/models" models
bitseer run examples/s.yaml
