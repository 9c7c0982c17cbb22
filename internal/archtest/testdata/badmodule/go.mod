module github.com/pilinhub/pilin

go 1.26.0
