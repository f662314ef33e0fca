"""One query or mutation on plain HTTP."""

from typing import Any

from starlette.requests import Request
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from kit.graphql.errors import Code, PublicError
from kit.graphql.http.disconnect import run_until_disconnect
from kit.graphql.schema import Schema

STREAM_ONLY = (
    "A subscription needs a transport that streams: a graphql-transport-ws socket, or Accept:"
    " text/event-stream, or Accept: multipart/mixed;subscriptionSpec=1.0"
)


async def execute(
    schema: Schema, request: Request, data: GraphQLRequestData, context: Any, *, allow_get: bool
) -> ExecutionResult:
    """Execute the operation of `data`, until the client disconnects.

    Raises PublicError if there is no operation to execute, or not by this method, and ClientDisconnected.
    """
    allowed = {OperationType.QUERY, OperationType.MUTATION}
    if request.method == "GET":
        allowed = {OperationType.QUERY} if allow_get else set()
    work = schema.execute(
        data.query,
        variable_values=data.variables,
        context_value=context,
        operation_name=data.operation_name,
        allowed_operation_types=allowed,
        operation_extensions=data.extensions,
    )
    try:
        return await run_until_disconnect(request, work)
    except MissingQueryError as error:
        raise PublicError("The request has no query") from error
    except CannotGetOperationTypeError as error:
        text = error.as_http_error_reason()[:200]
        raise PublicError(text, code=Code.OPERATION_UNKNOWN) from error
    except InvalidOperationTypeError as error:
        if error.operation_type is OperationType.SUBSCRIPTION:
            raise PublicError(STREAM_ONLY) from error
        text = error.as_http_error_reason("GET")
        raise PublicError(text[0].upper() + text[1:], status=405, allow="POST") from error
