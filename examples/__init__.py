"""What a trained net is good for beside its classes: small programs to read, run and change. python -m examples.NAME --help"""
