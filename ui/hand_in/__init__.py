"""Hand in: a student's answers and states as a file or a code, which a lecturer's page reads into a table.

`work` is what is handed in, `seal` signs it and says whether it is unchanged, `window` gives it out, `reader` is the
lecturer's page, which `gathering` and `table` serve. The server keeps nothing of it.
"""
