"""What a run and a checkpoint did, for a colleague: `final_metrics.json`, pictures and one page.

- `history`: what a run folder holds.
- `curves`: operating points, ROC and calibration of scores.
- `assess`: scores a checkpoint on files, and gathers what is measured of it.
- `canvas`: colours and axes; `run_pictures` and `score_pictures` draw on them.
- `markup` and `tables`: pieces of the page; `page` puts them together.
- `build`: writes the three.
"""
