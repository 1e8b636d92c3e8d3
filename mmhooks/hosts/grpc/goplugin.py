"""What go-plugin asks of every gRPC plugin: how it is stopped, what it prints, and further connections."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from mmhooks.hosts.grpc.messages import message_class, methods
from mmhooks.hosts.loop import LAST_WORDS
from mmhooks.launch import Output

_STDIO_DATA = message_class("plugin.StdioData")
_EMPTY = message_class("plugin.Empty")

Method = Callable[[Any, Any], Any]


class GoPlugin:
    """Serves go-plugin's three services.

    Arguments:
        output: what the process prints.
        stop: asks the server to stop.
    """

    def __init__(self, output: Output, stop: Callable[[str], None]) -> None:
        self._output = output
        self._stop = stop
        self._stopping = asyncio.Event()
        self._all_told = asyncio.Event()  # nobody is sent what is printed, or all of it has been sent
        self._all_told.set()

    def handlers(self) -> list[Any]:
        """The services, as gRPC takes them."""
        return [
            _service("GRPCController", Shutdown=self._shutdown),
            _service("GRPCStdio", StreamStdio=self._stream_stdio),
            _service("GRPCBroker", StartStream=self._start_stream),
        ]

    def end(self) -> None:
        """Let the streams end, which otherwise last as long as the plugin."""
        self._stopping.set()

    async def _shutdown(self, request: Any, context: Any) -> Any:
        # The host hangs up once it has the answer: the last words have to go before it.
        self.end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_told.wait(), LAST_WORDS)
        self._stop("the host said Shutdown")
        return _EMPTY()

    async def _stream_stdio(self, request: Any, context: Any) -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()
        news = asyncio.Event()

        def tell() -> None:
            try:
                loop.call_soon_threadsafe(news.set)
            except RuntimeError:
                self._output.unlisten(tell)  # the loop has ended, and nobody reads any more

        self._all_told.clear()
        self._output.listen(tell)
        stopping = loop.create_task(self._stopping.wait())
        stopping.add_done_callback(lambda _: news.set())
        try:
            while True:
                await news.wait()
                news.clear()
                if self._stopping.is_set():
                    self._output.flush()  # the last words; as a rule there are none, and it takes no time
                for channel, data in self._output.take():
                    yield _STDIO_DATA(channel=channel, data=data)
                if self._stopping.is_set():
                    return
        finally:
            stopping.cancel()
            self._output.unlisten(tell)
            self._all_told.set()

    async def _start_stream(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        # Mattermost brokers nothing: the stream is held open, as the host expects, and what it offers is not taken up.
        await self._stopping.wait()
        nothing: list[Any] = []
        for item in nothing:
            yield item


def _service(name: str, **implementations: Method) -> Any:
    handlers = {}
    for method, descriptor in methods(f"plugin.{name}").items():
        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[descriptor.client_streaming, descriptor.server_streaming]
        handlers[method] = make(
            implementations[method],
            request_deserializer=message_class(descriptor.input_type.full_name).FromString,
            response_serializer=_serialize,
        )
    return grpc.method_handlers_generic_handler(f"plugin.{name}", handlers)


def _serialize(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data
