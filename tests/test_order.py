"""What visits every page is shared out by page and begins first; the other files stay whole."""

from tests.order import in_order, together

NOTEBOOK = "tests/pages/test_notebooks.py::test_a_notebook_prints_the_numbers_of_its_page[saliency-1]"
ADDRESS = "tests/pages/test_addresses.py::test_an_address_that_means_nothing[saliency]"
VISIT = "tests/browser/test_every_page.py::test_the_first_picture_is_whole[saliency-phone]"
OTHERS = [f"tests/{file}.py::test_it" for file in ("browser/test_a", "browser/test_b", "labs/test_c", "labs/test_d")]


def test_what_visits_a_page_belongs_together():
    assert together(NOTEBOOK) == together(ADDRESS) == "pages saliency" and together(VISIT) == "browser saliency"
    assert together("tests/labs/test_nms.py::test_x[0.5]") == "tests/labs/test_nms.py"
    assert together("tests/browser/test_every_page.py::test_the_next_page") == "tests/browser/test_every_page.py"


def test_pages_begin_and_the_others_are_mixed():
    places = in_order([*OTHERS, NOTEBOOK, VISIT])
    names = sorted(places, key=lambda name: places[name])
    assert names[:2] == ["browser saliency", "pages saliency"]
    assert [name.split("/")[1] for name in names[2:]] in (["browser", "labs"] * 2, ["labs", "browser"] * 2)
    assert places.keys() == {together(test) for test in [*OTHERS, NOTEBOOK, VISIT]}
