# What gql's requests transport gets: python python_gql.py URL ONE SIBLINGS. The schema is fetched by introspection first.
import json
import sys

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport

url, one, siblings = sys.argv[1:]
transport = RequestsHTTPTransport(url=url, headers={"authorization": "Bearer token-of-administrator"})
outcome = {}
with Client(transport=transport, fetch_schema_from_transport=True) as session:
    outcome["one"] = session.execute(GraphQLRequest(one, variable_values={"id": 7}))
    try:
        session.execute(GraphQLRequest(siblings))
    except TransportQueryError as error:
        outcome["siblings"] = error.data
        outcome["codes"] = [f"{'.'.join(e['path'])} {e['extensions']['code']}" for e in error.errors]
print(json.dumps(outcome))
