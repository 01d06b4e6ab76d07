"""Speaks TLS on a port of 127.0.0.1 and passes on what is said to another.

tls.py PORT TO CERTIFICATE KEY
"""

import asyncio
import ssl
import sys


async def main(port, to, certificate, key):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def converse(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", int(to))
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    server = await asyncio.start_server(converse, "127.0.0.1", int(port), ssl=context)
    await server.serve_forever()


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


asyncio.run(main(*sys.argv[1:]))
