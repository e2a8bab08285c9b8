"""Say what expression a picture of a face shows, as the original project's script of this name did.

python examples/test_model.py emotion_model2.h5 face.jpg [folder|fer2013]

The last argument is the order of the classes of a model without a card; the original project's has alphabetical order.
"""

import sys
from pathlib import Path

from roomread.app.panel import find_mapping
from roomread.app.predict import predict
from roomread.learn.load import open_model
from roomread.types import EMOTIONS

model, picture, *classes = sys.argv[1:]
mapping = find_mapping(signals=False)  # a face alone, with no head to read
seen = predict(Path(picture), open_model(Path(model), *classes), None, mapping)
for emotion, probability in sorted(zip(EMOTIONS, seen.emotions[0], strict=True), key=lambda pair: -pair[1]):
    print(f"{emotion:9} {probability:.4f}")
print(f"engagement {seen.engagement[0]:.2f} by {mapping.name}. {mapping.validity}")
