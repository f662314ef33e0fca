"""Boards in and out of files. Whatever a file is, it is read into a `Parcel`; whatever a board is, a parcel is made
of it. `file` knows which format it is, `trello`, `github` and `own` read one each, `bring` builds, `take` reads.
"""
