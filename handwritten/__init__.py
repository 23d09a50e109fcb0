"""The handwritten variant: client-go's machinery in Python, read beside the original.

Files carry client-go's names, so that a reader can hold both side by side. The flow:

    listwatch.py -> reflector.py -> delta_fifo.py or the_real_fifo.py -> informer.py (+ store.py) -> handlers
                 -> workqueue.py / delaying.py / ratelimit.py -> controller.py -> twinloop.sync

and beside it leaderelection.py, which says whether the workers may work. docs/contract.md has what each of them promises,
docs/mapping.md what it is called in client-go and in kopf.

What belongs here: everything between a list and watch on the API server and the call of the shared
sync function, that is the cache side (reflector, delta FIFO, store, informer), the queue side (work
queue, delays, back-off, metrics), the worker loop, and the clock that all of them are given.

What never does:

- A decision about NginxPods. Which pods to create or delete, what the status says and when to ask
  again is `twinloop.sync`'s and `twinloop.plan`'s; this package only decides *when* they are called.
- HTTP. Only listwatch.py, resourcelock.py, nginxpod.py, podwatch.py and __main__.py know `twinloop.kube`; the queue, the
  delta FIFO and the store deal in keys and objects and run without any API server.
- The wall clock and the random module. Both come in from outside (clock.py), which is why the tests
  of this package do not sleep.
- Anything of kopf or of the other variant, and `twinloop` never imports this package.
"""
