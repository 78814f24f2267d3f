"""Load an export with the tool that it is for, and print as JSON what the tool saw.

Runs in an environment of its own (see requirements.txt beside it):

    python tests/export/loading.py READER PATH
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "RAGAS_DO_NOT_TRACK": "true",
    "WANDB_MODE": "disabled",
}

CHAT = (
    "{% for message in messages %}{{ message['role'] }} : {{ message['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}assistant : {% endif %}"
)


def by_pandas(path: Path) -> Any:
    import pandas as pd

    read: dict[str, Callable[[Path], Any]] = {
        ".csv": pd.read_csv,
        ".jsonl": lambda p: pd.read_json(p, lines=True, dtype=False, convert_dates=False),
        ".parquet": pd.read_parquet,
    }
    frame = read[path.suffix](path)
    return {
        "columns": list(frame.columns),
        "rows": len(frame),
        "questions": frame["question"].tolist(),
        "ratings": [None if value is None or value != value else value for value in frame["rating"].tolist()],
        "first": json.loads(frame.head(1).to_json(orient="records", date_format="iso"))[0],
        "kinds": {name: str(kind) for name, kind in frame.dtypes.items()},
    }


def by_pyarrow(path: Path) -> Any:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return {
        "columns": table.column_names,
        "rows": table.num_rows,
        "created": str(table.schema.field("created").type),
        "passages": table.column("passages").to_pylist(),
        "groups": pq.ParquetFile(path).num_row_groups,
    }


def by_datasets(path: Path) -> Any:
    from datasets import load_dataset

    kind = "parquet" if path.suffix == ".parquet" else "json"
    with tempfile.TemporaryDirectory() as cache:
        found = load_dataset(kind, data_files=str(path), split="train", cache_dir=cache)
        return {
            "columns": found.column_names,
            "rows": found.num_rows,
            "first": json.loads(json.dumps(found[0], default=str)),
        }


def by_ragas(path: Path) -> Any:
    from ragas import EvaluationDataset
    from ragas.metrics import ExactMatch, IDBasedContextPrecision, IDBasedContextRecall

    found = EvaluationDataset.from_jsonl(path)
    labelled = [s for s in found.samples if s.reference_context_ids]
    corrected = [s for s in found.samples if s.reference]
    return {
        "rows": len(found),
        "kind": type(found.samples[0]).__name__,
        "samples": found.to_list(),
        "columns": sorted(found.to_pandas().columns),
        "recall": [IDBasedContextRecall().single_turn_score(s) for s in labelled],
        "precision": [IDBasedContextPrecision().single_turn_score(s) for s in labelled],
        "exact": [float(ExactMatch().single_turn_score(s)) for s in corrected],
    }


def by_beir(path: Path) -> Any:
    from beir.datasets.data_loader import GenericDataLoader
    from beir.retrieval.evaluation import EvaluateRetrieval

    corpus, queries, qrels = GenericDataLoader(data_folder=str(path)).load(split="test")
    perfect = {query: {doc: float(grade) for doc, grade in docs.items()} for query, docs in qrels.items()}
    ndcg, _, recall, _ = EvaluateRetrieval.evaluate(qrels, perfect, [1, 10])
    return {
        "corpus": corpus,
        "queries": queries,
        "qrels": qrels,
        "ndcg": ndcg["NDCG@10"],
        "recall": recall["Recall@10"],
    }


def by_ir_measures(path: Path) -> Any:
    import ir_measures
    from ir_measures import RR, P, R, nDCG

    qrels = list(ir_measures.read_trec_qrels(str(path / "qrels.txt")))
    run = list(ir_measures.read_trec_run(str(path / "run.txt")))
    found = ir_measures.calc_aggregate([nDCG @ 10, P @ 1, R @ 5, RR], qrels, run)
    return {
        "qrels": [tuple(label) for label in qrels],
        "run": [tuple(scored) for scored in run],
        "measures": {str(measure): value for measure, value in found.items()},
    }


def by_trl(path: Path) -> Any:
    """One step of the trainer itself, with a model of a few thousand random weights."""
    from datasets import load_dataset
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

    with tempfile.TemporaryDirectory() as folder:
        data = load_dataset("json", data_files=str(path), split="train", cache_dir=folder)
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
        tokenizer.train_from_iterator(
            [json.dumps(row) for row in data],
            trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<s>", "</s>", "<pad>"]),
        )
        fast = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            unk_token="<unk>",
            bos_token="<s>",
            eos_token="</s>",
            pad_token="<pad>",
        )
        fast.chat_template = CHAT
        size = LlamaConfig(
            vocab_size=len(fast), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=4096,
        )  # fmt: skip
        config, trainer = (KTOConfig, KTOTrainer) if "label" in data.column_names else (DPOConfig, DPOTrainer)
        steps = config(
            output_dir=folder, max_steps=1, per_device_train_batch_size=2, report_to=[], use_cpu=True,
            bf16=False, save_strategy="no", disable_tqdm=True, max_length=2048,
        )  # fmt: skip
        # From a folder, because the reference model is loaded from where the first one came from.
        LlamaForCausalLM(size).save_pretrained(model := f"{folder}/model")
        fast.save_pretrained(model)
        made = trainer(model, args=steps, train_dataset=data, processing_class=fast)
        loss = made.train().training_loss
        return {
            "columns": data.column_names,
            "kinds": {name: str(kind) for name, kind in data.features.items()},
            "rows": data.num_rows,
            "prepared": sorted(made.train_dataset.column_names),
            "trained": math.isfinite(loss),
        }


READERS: dict[str, Callable[[Path], Any]] = {
    "pandas": by_pandas,
    "pyarrow": by_pyarrow,
    "datasets": by_datasets,
    "ragas": by_ragas,
    "beir": by_beir,
    "ir-measures": by_ir_measures,
    "trl": by_trl,
}

if __name__ == "__main__":
    printed = sys.stdout
    sys.stdout = sys.stderr  # what the tools print is not the answer
    found = READERS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps(found), file=printed)
