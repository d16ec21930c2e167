"""One short slot on a borrowed card: check, train, read, judge and pack by one command, which asks nobody and keeps nothing there.

    python -m tools.one_slot --out DIR                                   # there, in the root of the repository
    python -m tools.one_slot --out DIR --work WORK --fetch joint/0       # a second call there: whole weights, while it is still warm
    python -m tools.one_slot --join DIR                                  # here: one file out of the parts of a network

It is a tool and no command of nuclr: it drives nuclr for a machine that starts bare, has no network, sends back a few files of limited
size, and is taken away after minutes. Whoever has a GPU of their own wants `python -m nuclr reproduce`.

The process that decides imports no torch. All work is done by workers (worker.py), which may crash or hang: then the log says so and
the next stage begins. What comes back are log.txt and part-1.tar, part-2.tar, ... (parts.py), each a whole archive at every moment.
"""
