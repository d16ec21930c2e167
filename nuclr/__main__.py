from nuclr.cli import main

main()
