"""Judge a model, as the original project's script of this name did: confusion matrix and report, but on a named split.

python examples/evaluate_model.py emotion_model2.h5 fer2013.csv validation judged [folder|fer2013]

The last argument is the order of the classes of a model without a card; the original project's has alphabetical order.
"""

import sys
from pathlib import Path

from roomread.learn.evaluation import evaluate
from roomread.learn.evaluation_report import write_evaluation
from roomread.learn.evaluation_text import as_text
from roomread.learn.load import open_model
from roomread.learn.readers import read_faces

model, data, split, out, *classes = sys.argv[1:]
figures = evaluate(open_model(Path(model), *classes), read_faces(Path(data)), split)
print(as_text(figures))
print(write_evaluation([figures], Path(out) / "evaluation.html"))
