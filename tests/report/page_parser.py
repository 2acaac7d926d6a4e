"""Reads a page as a test sees it: elements that nest, texts of cells, images and addresses."""

import html.parser

_VOID = {"meta", "img", "br", "path", "input"}


class Page(html.parser.HTMLParser):
  """Checks that elements nest, and collects texts, images and tables."""

  def __init__(self, text):
    super().__init__()
    self.open, self.images, self.rows, self.addresses, self.tags = [], [], [], [], set()
    self.feed(text)
    assert self.open == []

  def handle_starttag(self, tag, attributes):
    attributes = dict(attributes)
    self.tags.add(tag)
    self.addresses += [attributes[key] for key in ("src", "href") if key in attributes]
    if tag == "img":
      self.images.append(attributes)
    if tag == "tr":
      self.rows.append([])
    if tag in ("td", "th"):
      self.rows[-1].append("")
    if tag not in _VOID:
      self.open.append(tag)

  def handle_endtag(self, tag):
    if tag not in _VOID:
      assert self.open.pop() == tag

  def handle_data(self, data):
    if self.rows and {"td", "th"} & set(self.open):
      self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())


def row(rows, start):
  return next(cells for cells in rows if cells[0].startswith(start))
