"""python -m mtl_hsi is the command mtl-hsi."""

from mtl_hsi.commands.main import main

if __name__ == "__main__":
  main()
