"""What authors and continuous integration run; not part of the installed package."""
