module dare

go 1.24
