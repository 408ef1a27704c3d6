#: stdout~ bitseer [0-9].[0-9].[0-9]
bitseer --version
