"""Strawberry's schema with the guard in front and a log that keeps secrets.

The library logs `str(error)`, which prints the line of the query, and with it every literal: a
password in a login. Here an expected error is not logged at all beyond its code, and an unexpected
one by its class, its path and where it was raised.
"""

import logging
import re
from collections.abc import Mapping
from copy import copy
from typing import Any, Self

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import ExecutionContext
from strawberry.types.execution import PreExecutionError

from kit.graphql.errors import Code, error_code_of, log_unexpected, original_error
from kit.graphql.limits.guard import Guard, RequestPolicy
from kit.graphql.operation import current_operation

log = logging.getLogger("signalbox.error")

SUGGESTED = re.compile(r" Did you mean [^?]*\?")


class Schema(strawberry.Schema):
    """A schema whose operations obey `policy`. Further extensions run inside the guard."""

    def __init__(self, query: type, *, policy: RequestPolicy, extensions: Any = (), **more: Any) -> None:
        self.policy = policy
        super().__init__(query, extensions=[lambda: Guard(policy), *extensions], **more)
        _remove_null_defaults(self._schema)
        _check_one_of_natively(self._schema)

    def under(self, policy: RequestPolicy) -> Self:
        """The same schema under another policy: building one takes a tenth of a second, this does not."""
        twin = copy(self)
        twin.policy, twin.extensions = policy, (lambda: Guard(policy), *self.extensions[1:])
        twin.config = copy(self.config)
        twin.config.disable_field_suggestions = not policy.introspection
        return twin

    @staticmethod
    def remove_field_suggestion(error: GraphQLError) -> None:
        """Take out what graphql-core suggests; the library does so for output fields only."""
        error.message = SUGGESTED.sub("", error.message)

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: SchemaExtensionsRunner
    ) -> PreExecutionError | None:
        # The library answers a refusal raised by an extension when it executes, but lets it tear
        # the socket down when it streams. Answered here, both do the same.
        try:
            if self.policy.documents.known(context.query) is None:
                await self.policy.documents.turn()
            return await super()._prepare_operation_async(context, extensions_runner)
        except GraphQLError as refusal:
            context.pre_execution_errors = [refusal]
            return PreExecutionError(data=None, errors=[refusal])

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        sharing = current_operation().sharing
        if sharing is not None and sharing.group is not None:
            return  # nobody is answered with them: each member of the group executes it again
        for error in errors:
            if error_code_of(error, self.policy.explain)[0] == Code.INTERNAL:
                _log_unexpected(error)


def _remove_null_defaults(built: GraphQLSchema) -> None:
    """Make optional arguments and input fields optional without a default: null is no value to publish.

    A resolver still gets None, the default of its parameter.
    """
    for type_ in built.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            _clear_null_defaults(type_.fields)
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field in type_.fields.values():
                _clear_null_defaults(field.args)


def _check_one_of_natively(built: GraphQLSchema) -> None:
    """Let graphql-core check @oneOf inputs: strawberry's own check raises where a value must be coerced."""
    for type_ in built.type_map.values():
        definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if isinstance(type_, GraphQLInputObjectType) and definition and definition.is_one_of:
            type_.is_one_of = True
            del type_.out_type


def _clear_null_defaults(inputs: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]) -> None:
    for item in inputs.values():
        if item.default_value is None:
            item.default_value = Undefined


def _log_unexpected(error: GraphQLError) -> None:
    operation = current_operation()
    details = {"request_id": operation.request_id, "operation_name": operation.name, "path": error.path}
    log.error("unexpected error", extra=details | log_unexpected(original_error(error)))
