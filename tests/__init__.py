"""The tests, a folder for each package; what several of them share lies here."""
