"""The floor for a start over net/rpc: an asyncio program that listens on a unix socket and prints the handshake line."""

import asyncio
import os


async def main() -> None:
    path = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], f"plugin-{os.getpid()}")
    server = await asyncio.get_running_loop().create_unix_server(asyncio.Protocol, path)
    print(f"1|1|unix|{path}|netrpc|", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
