"""The page of the server, where the applications can be tried in a browser: routes `/` and `/page/...`.

Made with htmx and Pico CSS, which lie in `static/`, on the Starlette and the templates (Jinja2) of the server itself:
the server writes HTML, htmx puts it into the page, and a few small modules of JavaScript do what no library would do
for us (a spotlight on the photo for each word, an alignment under the pointer, a camera answered frame by frame).

Why not Gradio, which the field knows best: it brings thirty more distributions and 250 MB, needs seconds to be
imported, holds Pillow below the version that everything else here has, fetches fonts and scripts from elsewhere unless
told otherwise, and serves files of the machine by path, with lists of what is allowed. Here the page is there with the
server, all that it asks for comes from the server (a content security policy holds it to that), there is no route that
takes a path, and a screen reader and a phone get plain HTML.

Nothing but `page_routes` and `signing_in` is to be imported from outside; TensorFlow and the applications are imported
when they are first asked.
"""
