module prefork

go 1.19
