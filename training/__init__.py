"""How the bundled models are made: run the modules in the order the README beside this file gives."""
