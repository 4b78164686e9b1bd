"""Clients of three editors against the real saferun-lsp, daemon and engine."""

import asyncio
import os
import pathlib
import typing

import pytest
import pytest_lsp
from lsprotocol import types as t
from pygls.protocol import default_converter
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities, make_test_lsp_client

BIN = pathlib.Path(os.environ["SAFERUN_TEST_BIN"])
SERVER = str(BIN / "saferun-lsp")


def client_factory():
    """lsprotocol 2025.0.0 takes every CodeAction that carries a command for a bare Command."""
    client = make_test_lsp_client()
    converter = default_converter()
    converter.register_structure_hook(
        typing.Union[t.Command, t.CodeAction],
        lambda o, _: converter.structure(
            o, t.Command if isinstance(o.get("command"), str) else t.CodeAction
        ),
    )
    client.protocol._converter = converter
    return client


class Editor:
    """What a test does with a client."""

    def __init__(self, client, folder):
        self.client, self.folder, self.pulls = client, folder, False
        self.messages, self.shown, self.asked, self.answer = [], [], [], None
        self.version = 0

    def open(self, name, text, language="python"):
        path = self.folder / name
        path.write_text(text)
        uri = path.as_uri()
        self.version = 1
        self.client.text_document_did_open(
            t.DidOpenTextDocumentParams(
                text_document=t.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
            )
        )
        return uri

    def open_notebook(self, name, cells):
        """Opens the cells, by name, as one notebook; gives the address of each."""
        uri = (self.folder / name).as_uri()
        addresses = {cell: uri.replace("file:", "vscode-notebook-cell:") + f"#{cell}" for cell in cells}
        self.client.notebook_document_did_open(
            t.DidOpenNotebookDocumentParams(
                notebook_document=t.NotebookDocument(
                    uri=uri,
                    notebook_type="jupyter-notebook",
                    version=1,
                    cells=[t.NotebookCell(kind=t.NotebookCellKind.Code, document=one) for one in addresses.values()],
                ),
                cell_text_documents=[
                    t.TextDocumentItem(uri=addresses[cell], language_id="python", version=1, text=text)
                    for cell, text in cells.items()
                ],
            )
        )
        return addresses

    def apply(self, uri, action):
        """Makes the one edit of an action, and tells the server."""
        (edit,) = action.edit.changes[uri]
        place = lambda position: (position.line, position.character)
        self.change(uri, place(edit.range.start), place(edit.range.end), edit.new_text)
        return edit.new_text

    def change(self, uri, start, end, text):
        self.version += 1
        at = lambda p: t.Position(line=p[0], character=p[1])
        self.client.text_document_did_change(
            t.DidChangeTextDocumentParams(
                text_document=t.VersionedTextDocumentIdentifier(uri=uri, version=self.version),
                content_changes=[
                    t.TextDocumentContentChangePartial(
                        range=t.Range(start=at(start), end=at(end)), text=text
                    )
                ],
            )
        )

    async def diagnostics(self, uri, want, within=10):
        """The diagnostics, pulled or pushed as this editor does, once `want` holds of them."""
        found = []
        for _ in range(int(within / 0.02)):
            if self.pulls:
                report = await self.client.text_document_diagnostic_async(
                    t.DocumentDiagnosticParams(text_document=t.TextDocumentIdentifier(uri=uri))
                )
                found = list(report.items)
            else:
                found = list(self.client.diagnostics.get(uri, []))
            if want(found):
                return list(found)
            await asyncio.sleep(0.02)
        raise AssertionError(f"never came: {found}")

    async def actions(self, uri, range_, diagnostics=()):
        return await self.client.text_document_code_action_async(
            t.CodeActionParams(
                text_document=t.TextDocumentIdentifier(uri=uri),
                range=range_,
                context=t.CodeActionContext(diagnostics=list(diagnostics)),
            )
        )

    async def execute(self, command, arguments):
        return await self.client.workspace_execute_command_async(
            t.ExecuteCommandParams(command=command, arguments=arguments)
        )

    async def until(self, what, within=30):
        for _ in range(int(within / 0.05)):
            got = what()
            if got:
                return got
            await asyncio.sleep(0.05)
        raise AssertionError("did not happen in time")


@pytest_lsp.fixture(
    params=["neovim", "visual-studio-code", "emacs"],
    config=ClientServerConfig(server_command=[SERVER], client_factory=client_factory),
)
async def client(request, lsp_client: LanguageClient, tmp_path):
    capabilities = client_capabilities(request.param)
    editor = lsp_client.editor = Editor(lsp_client, tmp_path)

    @lsp_client.feature("window/showMessageRequest")
    def _ask(params):
        editor.asked.append(params)
        return next((a for a in params.actions or [] if a.title == editor.answer), None)

    @lsp_client.feature("client/registerCapability")
    def _register(_params):
        return None

    @lsp_client.feature("workspace/codeLens/refresh")
    def _refresh_lenses(_params=None):
        return None

    # What the watch tells of files that are not open has tests of its own.
    settings = {"watch": "off"}
    lsp_client.set_configuration({"saferun": settings})
    started = await lsp_client.initialize_session(
        t.InitializeParams(
            capabilities=capabilities,
            root_uri=tmp_path.as_uri(),
            workspace_folders=[t.WorkspaceFolder(uri=tmp_path.as_uri(), name="x")],
            initialization_options=settings,
        )
    )
    # Pushed or pulled, as the server chose for this client; never both.
    editor.pulls = started.capabilities.diagnostic_provider is not None
    yield
    if editor.pulls:
        assert not lsp_client.diagnostics, "pulled and pushed"
    await lsp_client.shutdown_session()


@pytest.fixture
def policy():
    """Writes the user's policy, and takes it away again."""
    path = pathlib.Path(os.environ["SAFERUN_CONFIG_DIR"]) / "policy.yaml"
    yield lambda text: path.write_text("version: 1\n" + text)
    path.unlink(missing_ok=True)


@pytest.fixture
def editor(client):
    return client.editor
