"""LlamaIndex over Chroma: sentence windows, and small chunks that merge into bigger ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.node_parser import HierarchicalNodeParser, SentenceWindowNodeParser, get_leaf_nodes
from llama_index.core.postprocessor import MetadataReplacementPostProcessor
from llama_index.core.retrievers import AutoMergingRetriever
from llama_index.core.schema import BaseNode, NodeWithScore
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.utils import set_global_tokenizer
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore

from . import DEPTH, Corpus, Found, chroma_client, model_folder, tokenizer


class _Base:
    name: str

    def load(self, folder: Path) -> None:
        self._folder = folder
        # Chunk sizes count tokens of this tokenizer; the default is that of an OpenAI model.
        set_global_tokenizer(lambda text: tokenizer().encode(text, add_special_tokens=False).ids)
        self._model = HuggingFaceEmbedding(model_name=model_folder())

    def _index(
        self, nodes: Sequence[BaseNode], docstore: SimpleDocumentStore | None = None
    ) -> VectorStoreIndex:
        collection = chroma_client(self._folder).get_or_create_collection("benchmark")
        self._context = StorageContext.from_defaults(
            vector_store=ChromaVectorStore(chroma_collection=collection), docstore=docstore
        )
        return VectorStoreIndex(nodes, storage_context=self._context, embed_model=self._model)


class Window(_Base):
    """Sentences are searched, each given with three on either side."""

    name = "llamaindex-window"
    uses_budget = False

    def ingest(self, corpus: Corpus) -> int:
        nodes = SentenceWindowNodeParser.from_defaults(window_size=3).get_nodes_from_documents(
            _documents(corpus)
        )
        self._retriever = self._index(nodes).as_retriever(similarity_top_k=DEPTH)
        self._replace = MetadataReplacementPostProcessor(target_metadata_key="window")
        return len(nodes)

    def search(self, question: str, budget: int) -> Sequence[Found]:
        found = self._retriever.retrieve(question)
        sentences = [(n.node.ref_doc_id, n.node.start_char_idx) for n in found]
        windows = self._replace.postprocess_nodes(found)
        return [
            Found(str(source), n.node.get_content(), near)
            for n, (source, near) in zip(windows, sentences, strict=True)
        ]


class Merging(_Base):
    """Leaves of 128 tokens are searched; where most of a parent's (512, 2048) are found, it is given.

    How far they merge depends on how many leaves are asked for. Too many would merge everything,
    so it is the least power of two whose text fills the budget.
    """

    name = "llamaindex-merging"
    uses_budget = True

    def ingest(self, corpus: Corpus) -> int:
        nodes = HierarchicalNodeParser.from_defaults(chunk_sizes=[2048, 512, 128]).get_nodes_from_documents(
            _documents(corpus)
        )
        leaves = get_leaf_nodes(nodes)
        docstore = SimpleDocumentStore()
        docstore.add_documents(nodes)
        index = self._index(leaves, docstore)
        self._retrievers = {
            n: AutoMergingRetriever(index.as_retriever(similarity_top_k=n), self._context)
            for n in (2, 4, 8, 16, 32, 64)
        }
        return len(leaves)

    def search(self, question: str, budget: int) -> Sequence[Found]:
        found: list[NodeWithScore] = []
        for n, retriever in self._retrievers.items():
            if n < DEPTH and not budget:
                continue
            found = retriever.retrieve(question)
            tokens = sum(len(tokenizer().encode(f.node.get_content()).ids) - 2 for f in found)
            if budget and tokens >= budget:
                break
        return [Found(_origin(f.node, self._context), f.node.get_content()) for f in found]


def _origin(node: BaseNode, context: StorageContext) -> str:
    """The id of the document: that of the topmost parent's source."""
    while node.parent_node is not None:
        node = context.docstore.get_document(node.parent_node.node_id)  # type: ignore[assignment]
    return str(node.ref_doc_id)


def _documents(corpus: Corpus) -> list[Document]:
    return [
        Document(id_=t.id, text=t.text, metadata={"title": t.title} if t.title else {}) for t in corpus.texts
    ]
