module dare-ranges

go 1.24
