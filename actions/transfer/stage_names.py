"""Stages by names of lists and statuses, whose words other systems and their users choose freely."""

import re

from actions.validation import folded
from models.stage import Stage

# Whole names, ignoring case, punctuation and spaces.
STAGES = {
    Stage.BACKLOG: "backlog ideas icebox inbox new someday later triage requests wishlist proposed deferred",
    Stage.PLAN: "plan planning planned design spec specification refine refinement analysis discovery upnext",
    Stage.TODO: "todo ready next thisweek selected sprint sprintbacklog open opened reopened "
    "selectedfordevelopment unstarted zuerledigen offen àfaire afaire porhacer pendiente 未着手 待办",
    Stage.IN_PROGRESS: "inprogress doing progress wip working active started current indevelopment today "
    "blocked onhold inarbeit encours encurso 進行中 进行中",
    Stage.REVIEW: "review inreview codereview testing test qa verify verification validation waiting",
    Stage.DONE: "done complete completed finished closed shipped released live resolved merged deployed "
    "archive archived cancelled canceled duplicate rejected wontfix wontdo obsolete erledigt fertig terminé "
    "fait hecho concluído 完了 完成 已完成",
}
STAGE_OF_NAME = {word: stage for stage, words in STAGES.items() for word in words.split()}

# Words within a longer name. The first expression that matches decides.
WORDS = [
    (Stage.TODO, r"not (started|done|finished|complete)|ready (for|to) (dev\w*|implement\w*|start|work|do)"),
    (
        Stage.REVIEW,
        r"(ready|waiting|awaiting|pending|to|for)\b.*\b"
        r"(merge|deploy\w*|release|ship|publish|approv\w*|feedback|qa|tests?|testing|review|verif\w*)",
    ),
    (Stage.DONE, r"done|completed?|finished|closed|shipped|released|resolved|merged|deployed|archived?"),
    (Stage.DONE, r"cancell?ed|won t (do|fix)|wont (do|fix)|rejected|erledigt|fertig|terminée?s?|hecho"),
    (
        Stage.REVIEW,
        r"review(s|ed|ing)?|qa|test(s|ed|ing)?|verif(y|ying|ied|ication)|validat(e|ing|ion)|approval",
    ),
    (Stage.TODO, r"sprint\b.*\bbacklog|(this|current|next) (sprint|week|iteration)|up next|next up|on deck"),
    (
        Stage.IN_PROGRESS,
        r"in progress|in development|doing|wip|working|ongoing|en cours|in arbeit|blocked|on hold",
    ),
    (
        Stage.PLAN,
        r"plan(s|ning|ned)?|design(s|ing)?|spec(s|ification)?|refin(e|ing|ement)|analysis|discovery",
    ),
    (Stage.TODO, r"to do|todo|to dos|todos|ready|selected"),
    (Stage.BACKLOG, r"backlog|ideas?|icebox|inbox|someday|later|triage|requests?|wishlist|parked"),
]
PATTERNS = [(stage, re.compile(rf"\b(?:{words})\b")) for stage, words in WORDS]


def squeezed(name: str) -> str:
    """Return the letters and digits of a name, ignoring case."""
    return "".join(char for char in folded(name) if char.isalnum())


def stage_named(name: str) -> Stage | None:
    """Return the stage that the name of a list means, or None if unknown."""
    whole = STAGE_OF_NAME.get(squeezed(name))
    if whole is not None:
        return whole
    words = " ".join(re.findall(r"\w+", folded(name).replace("_", " ")))
    if "definition of" in words:
        return None  # a list that explains a stage is none
    return next((stage for stage, pattern in PATTERNS if pattern.search(words)), None)
