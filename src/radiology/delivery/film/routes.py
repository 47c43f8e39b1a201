"""Film orders over REST."""

from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.delivery.film import actions, queries
from radiology.delivery.film.model import State
from radiology.delivery.film.schemas import FilmOrderIn, FilmOrderOut, SheetsIn
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute

PATH = "/api/radiology/film-orders"

router = APIRouter(prefix=PATH, tags=["film"], route_class=StrictJSONRoute)


@router.post("", status_code=202, response_model=None, responses={202: {"model": FilmOrderOut}})
async def post_film_order(body: FilmOrderIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Print images of a study on film. The answer comes at once; `GET` tells how far the printer has come."""
    order_id, answer = await actions.order_film(app, actor, body.study, body.printer, body.film.film(), body.chosen())
    return Response(answer, 202, {"Location": f"{PATH}/{order_id}"}, JSON)


@router.post("/preview", response_model=None, responses={200: {"content": {"image/png": {}}}})
async def post_preview(
    body: SheetsIn, app: CurrentApp, actor: CurrentActor, sheet: int = Query(default=1, ge=1)
) -> Response:
    """One sheet as a picture, as it will come out of the printer."""
    png = await actions.preview_film(app, actor, body.study, body.film.film(), body.chosen(), sheet)
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})


@router.get("", response_model=None)
async def get_film_orders(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    state: State | None = None,
    limit: int = Query(default=50, ge=1, le=200),
    cursor: str | None = None,
) -> Response:
    """Film orders, newest first."""
    async with app.db.transaction() as tx:
        results, following = await queries.page_of(tx, state=state, limit=limit, cursor=cursor, visible_to=actor)
    return page(request, results, following)


@router.get("/{order_id}", response_model=None, responses={200: {"model": FilmOrderOut}})
async def get_film_order(order_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One film order, and how far it has come."""
    async with app.db.transaction() as tx:
        return Response(await queries.body_of(tx, order_id, visible_to=actor), media_type=JSON)


@router.delete("/{order_id}", response_model=None, responses={200: {"model": FilmOrderOut}})
async def delete_film_order(order_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Print no more sheets of an order."""
    return Response(await actions.cancel_film(app, actor, order_id), media_type=JSON)


@router.post("/{order_id}/again", response_model=None, status_code=202, responses={202: {"model": FilmOrderOut}})
async def post_again(order_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Print what a failed order still owes."""
    return Response(await actions.again(app, actor, order_id), 202, media_type=JSON)
