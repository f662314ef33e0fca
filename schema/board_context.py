"""The context of a board."""

from typing import Annotated

import strawberry

from kit.graphql.limits.list_size import list_size
from models.context import MAX_PERSONAS, MAX_VARIABLES
from resolvers import board_context as contexts
from schema.fields import result_type


@result_type(contexts.Variable)
class BoardVariable:
    """A variable of the environment of a board's agents."""

    name: Annotated[str, "Its name."]
    value: Annotated[str | None, "Its value; null if it is secret."]
    is_secret: Annotated[bool, "True if it is encrypted and never shown."]
    hint: Annotated[
        str | None, "The end of a secret value, by which people recognize it; null if there is none."
    ]


@result_type(contexts.Persona)
class Persona:
    """A person that the project is for."""

    name: Annotated[str, "The name."]
    text: Annotated[str, "Needs and habits; may be empty."]


@result_type(contexts.ContextView)
class BoardContext:
    """The facts about a project that every agent of its board is told. Texts are Markdown and may be empty."""

    overview: Annotated[str, "The project and its purpose."]
    tech_stack: Annotated[str, "Languages, frameworks and versions."]
    conventions: Annotated[str, "Conventions of code."]
    testing: Annotated[str, "How tests are written and run."]
    api: Annotated[str, "The API."]
    infrastructure: Annotated[str, "Servers and services."]
    environments: Annotated[str, "Environments, such as staging."]
    deployment: Annotated[str, "How it is deployed."]
    communication: Annotated[str, "Languages and tone of texts."]
    design: Annotated[str, "Design, and what inspires it."]
    personas: list[Persona] = strawberry.field(
        description="People that the project is for.",
        directives=[list_size(3, maximum=MAX_PERSONAS, slicing=())],
    )
    variables: list[BoardVariable] = strawberry.field(
        description="Variables of the environment of its agents, by name.",
        directives=[list_size(5, maximum=MAX_VARIABLES, slicing=())],
    )
    version: Annotated[int, "Increases by one with every change; 0 before the first."]
