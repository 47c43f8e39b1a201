"""The sample studies of the demonstration: invented people and drawn pictures, made in code.

`catalogue` lists the studies and `people` whom they are of; `radiography`, `tomography`, `other_modalities` and
`documents` say what each modality writes; `phantoms` draws the pictures; `studies` puts it all together.
"""

from radiology.samples.model import SampleInstance
from radiology.samples.studies import make_studies

__all__ = ["SampleInstance", "make_studies"]
