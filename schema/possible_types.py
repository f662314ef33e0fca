"""Generator of schema/possible-types.json: the object types of each interface and union, for Apollo Client.

A client that caches by type needs it to match fragments on interfaces and unions.
"""

import json

from graphql import GraphQLSchema, is_abstract_type


def print_possible_types(built: GraphQLSchema) -> str:
    """Print the possible types as JSON, sorted, one abstract type a line."""
    lines = [
        f"  {json.dumps(name)}: {json.dumps(sorted(each.name for each in built.get_possible_types(type_)))}"
        for name, type_ in sorted(built.type_map.items())
        if is_abstract_type(type_)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
