"""The executor: answers a list at a time instead of an object at a time.

Why. graphql-core completes one object after the other. For each field of each object it looks up the field,
builds an info of fourteen parts, a path, an argument dictionary, calls a resolver through the layers around it,
and, where the resolver awaits, makes a coroutine, a future and a task. A board of 200 cards has 10,000 such
fields, and nearly all of them only read an attribute of a row. What is the same for every object of a list is
done once here, and what differs is done by the C code under `map`, `zip` and `dict`.

How. Root fields are graphql-core's. What a root field answers is a list of one, and is completed level by level:

1. plan.py   For each type that a selection can meet, its fields are collected once (by graphql-core's own
             collector, so fragments, aliases, @include, @skip, interfaces and unions mean what they always mean)
             into a `Plan`: one step for each response key. Plans are kept with the operation that they belong to,
             one for each choice of @include and @skip, and forgotten with it.
2. levels.py A plan is run for all objects of a level together. A step is one of
             - a constant: __typename;
             - a column: a field without a resolver is `map(attrgetter(name), objects)`, then its leaf type;
             - a declared field: its resolver has a `BatchResolver`, which answers for all objects in one call and
               gets the attributes of the rows that will be read, so that nothing else is selected;
             - any other field: its resolver is called for each object, as graphql-core would, and what has to be
               awaited is awaited together.
             What a step answered is the next level: lists are joined to one, completed, and cut apart again.
3. json_rows.py
             A declared field that answers lists, of which nothing but leaves is asked, may be had from the database
             as JSON, a text for each row: then no row of it is an object, and the answer holds what is written
             already (orjson.Fragment). Only for queries, and only where the transport encodes such an answer.
4. leaves.py A column of one Python type is checked by looking at the set of its types, and converted once for each
             distinct value where that is right (enums), else value by value by the GraphQL type itself.

What it does not do. It knows no errors. A resolver that raises, a null where none may be, a value of a wrong
type, a directive for incremental delivery, middleware, an abort signal: whatever is not plain sailing raises,
the level-by-level answer of that root field is thrown away, and graphql-core completes the root field's value
from the start, with loaders that have forgotten. So error messages, paths, codes and the propagation of nulls are
graphql-core's own, always, and such an answer costs twice. Below a root field resolvers read and do not write,
which is what makes a second run harmless; mutations happen in root fields, and those run once.

What it promises. The same answer as graphql-core gives, key order included: tests/executor asks both, with
generated queries over data with nulls and failures. It knows no noun: it learns everything from the schema and
from `BatchResolver`.
"""

from kit.graphql.executor.batch_resolver import BatchResolver, batch_resolver_of, requested_columns
from kit.graphql.executor.executor import ListExecutor

__all__ = ["BatchResolver", "ListExecutor", "batch_resolver_of", "requested_columns"]
