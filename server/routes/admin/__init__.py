"""The admin calls, one resource a file. ``server.app`` puts the admin guard before all of them."""

from server.routes.admin import (
    deployments,
    golden,
    jobs,
    judgments,
    models,
    overview,
    pairs,
    people,
    quarantine,
    repos,
    schedule,
)

_MODULES = (overview, models, deployments, jobs, repos, golden, judgments, pairs, people, quarantine, schedule)
routers = tuple(module.router for module in _MODULES)
