"""The playground: a page in the browser and a small JSON service for models on this machine (``seqtree serve``).

Needs the extra ``serve`` (Starlette, uvicorn). Everything that the page uses is inside this package.
"""
