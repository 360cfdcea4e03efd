"""The flow of somebody who manages a store, through a client that was made from openapi.json.

Called by scripts/client-trial, with the client on the path: client_trial.py BASE_URL TOKEN.
"""

import sys

from stockroom_client import AuthenticatedClient, Client
from stockroom_client.api.orders import cancel_order, get_order, list_store_orders, place_order
from stockroom_client.api.products import (
    change_category,
    change_product,
    create_category,
    create_product,
    delete_category,
    delete_product,
    get_product,
    list_products,
)
from stockroom_client.api.search import search_products, suggest_titles
from stockroom_client.api.stores import (
    change_inventory,
    change_stock,
    change_store,
    create_store,
    delete_store,
    get_store,
    list_inventory,
)
from stockroom_client.api.system import health, readiness
from stockroom_client.models import (
    CategoryName,
    NewItem,
    NewOrder,
    NewProduct,
    NewStore,
    Order,
    Problem,
    Product,
    ProductChange,
    ProductStockChange,
    StockChange,
    StockChanges,
    StoreChange,
)

base, token = sys.argv[1:]
anybody = Client(base_url=base)
staff = AuthenticatedClient(base_url=base, token=token)


def expect(answer, status, kind=None):
    """What was answered, parsed; anything but this status and type ends the trial."""
    assert answer.status_code == status, f"{answer.status_code} instead of {status}: {answer.content.decode()}"
    if kind is not None:
        assert isinstance(answer.parsed, kind), f"{type(answer.parsed)} instead of {kind}: {answer.content.decode()}"
    return answer.parsed


def problem(answer, status, code):
    found = expect(answer, status, Problem)
    assert found.code == code, f"{found.code} instead of {code}"
    return found


assert expect(health.sync_detailed(client=anybody), 200).status == "ok"
assert expect(readiness.sync_detailed(client=anybody), 200).parts.database == "ok"

# Nobody without a token changes anything.
problem(create_category.sync_detailed(client=anybody, body=CategoryName(name="Tea")), 401, "unauthorized")
stranger = AuthenticatedClient(base_url=base, token="sr_made_up")
problem(create_category.sync_detailed(client=stranger, body=CategoryName(name="Tea")), 401, "unauthorized")

# A catalogue.
tea = expect(create_category.sync_detailed(client=staff, body=CategoryName(name="Tea")), 201)
taken = problem(create_category.sync_detailed(client=staff, body=CategoryName(name="TEA")), 409, "conflict")
assert taken.errors[0].pointer == "/name"
renamed = change_category.sync_detailed(tea.id, client=staff, body=CategoryName(name="Fine tea"))
assert expect(renamed, 200).name == "Fine tea"
wrong = NewProduct(title="", price="free", category_id=tea.id)
faults = problem(create_product.sync_detailed(client=staff, body=wrong), 400, "invalid").errors
assert {fault.pointer for fault in faults} == {"/title", "/price"}, faults
new = NewProduct(title="Oolong tea, 100 g", price="12.50", category_id=tea.id, sku="TEA-1", description="Loose leaves")
made = create_product.sync_detailed(client=staff, body=new)
oolong = expect(made, 201, Product)
assert (oolong.price, oolong.category, oolong.sku) == ("12.50", "Fine tea", "TEA-1")
spare = expect(create_product.sync_detailed(
    client=staff, body=NewProduct(title="Sencha", price="8.00", category_id=tea.id)), 201, Product)

# A change of what somebody else changed meanwhile is refused.
seen = get_product.sync_detailed(oolong.id, client=anybody).headers["etag"]
dearer = ProductChange(price="13.00", description="")
assert expect(change_product.sync_detailed(oolong.id, client=staff, body=dearer, if_match=seen), 200).price == "13.00"
stale = change_product.sync_detailed(oolong.id, client=staff, body=ProductChange(price="9.00"), if_match=seen)
problem(stale, 412, "precondition_failed")
listed = expect(list_products.sync_detailed(client=anybody, category="fine tea", page_size=1), 200)
assert listed.count == 2 and isinstance(listed.results[0], Product) and listed.next_ is not None

# A store, and what it has.
corner = expect(create_store.sync_detailed(client=staff, body=NewStore(name="Corner")), 201)
moved = change_store.sync_detailed(corner.id, client=staff, body=StoreChange(location="Quay 12"))
assert expect(moved, 200).location == "Quay 12"
assert expect(get_store.sync_detailed(corner.id, client=anybody), 200).name == "Corner"
receipt = StockChanges(reason="receipt", changes=[
    ProductStockChange(product_id=oolong.id, delta=10), ProductStockChange(product_id=spare.id, delta=5)])
expect(change_inventory.sync_detailed(corner.id, client=staff, body=receipt), 200)
recount = StockChange(reason="recount", quantity=8, expected_quantity=9)
late = problem(change_stock.sync_detailed(corner.id, oolong.id, client=staff, body=recount), 409, "conflict")
assert late.errors[0].current == 10
recount.expected_quantity = 10
assert expect(change_stock.sync_detailed(corner.id, oolong.id, client=staff, body=recount), 200).quantity == 8
shelf = expect(list_inventory.sync_detailed(corner.id, client=anybody, in_stock=True), 200)
assert [(row.product_title, row.quantity) for row in shelf.results] == [("Oolong tea, 100 g", 8), ("Sencha", 5)]

# An order, from the dry run to its cancellation.
order = NewOrder(store_id=corner.id, items=[NewItem(product_id=oolong.id, quantity_requested=3)])
expect(place_order.sync_detailed(client=anybody, body=order, dry_run=True), 200)
placed = expect(place_order.sync_detailed(client=anybody, body=order, idempotency_key="trial-1"), 201, Order)
again = place_order.sync_detailed(client=anybody, body=order, idempotency_key="trial-1")
assert expect(again, 201).id == placed.id and again.headers["idempotent-replayed"] == "true"
greedy = NewOrder(store_id=corner.id, items=[NewItem(product_id=spare.id, quantity_requested=6)])
refused = expect(place_order.sync_detailed(client=anybody, body=greedy), 201)
assert refused.status == "REJECTED" and refused.items[0].rejection.available == 5
assert expect(list_store_orders.sync_detailed(corner.id, client=anybody), 200).count == 2
problem(cancel_order.sync_detailed(placed.id, client=anybody), 401, "unauthorized")
for _ in range(2):
    assert expect(cancel_order.sync_detailed(placed.id, client=staff), 200).status == "CANCELLED"
problem(cancel_order.sync_detailed(refused.id, client=staff), 409, "conflict")
assert expect(get_order.sync_detailed(placed.id, client=anybody), 200).status == "CANCELLED"
shelf = expect(list_inventory.sync_detailed(corner.id, client=anybody, q="oolong"), 200)
assert shelf.results[0].quantity == 8, "the stock went back once"

# The search follows within a second.
for _ in range(100):
    found = expect(search_products.sync_detailed(client=anybody, q="oolnog", store_id=corner.id), 200)
    if found.count == 1:
        break
assert found.results[0].inventory_quantity == 8, found
assert expect(suggest_titles.sync_detailed(client=anybody, q="oolong"), 200).results == ["Oolong tea, 100 g"]

# What orders name stays; the rest goes.
problem(delete_product.sync_detailed(oolong.id, client=staff), 409, "conflict")
problem(delete_store.sync_detailed(corner.id, client=staff), 409, "conflict")
problem(delete_category.sync_detailed(tea.id, client=staff), 409, "conflict")
gone = expect(create_product.sync_detailed(
    client=staff, body=NewProduct(title="Mistake", price="1.00", category_id=tea.id)), 201)
expect(delete_product.sync_detailed(gone.id, client=staff), 204)
problem(get_product.sync_detailed(gone.id, client=anybody), 404, "not_found")
empty = expect(create_store.sync_detailed(client=staff, body=NewStore(name="Closed")), 201)
expect(delete_store.sync_detailed(empty.id, client=staff), 204)
nothing = expect(create_category.sync_detailed(client=staff, body=CategoryName(name="Nothing")), 201)
expect(delete_category.sync_detailed(nothing.id, client=staff), 204)
