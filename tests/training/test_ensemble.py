"""The order of the networks of a run."""

import jax
import numpy as np
import pytest

from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.training.ensemble import Ensemble

SEVERAL = [Ensemble(1, 5, 5), Ensemble(4, 1, 3), Ensemble(2, 3, 2), Ensemble(3, 1, 0), Ensemble(1, 1, 0)]


def keys(ensemble, seed=3):
  return jax.random.key_data(Replicas(ensemble.count, jax.devices()[:1]).keys(seed, ensemble.streams()))


@pytest.mark.parametrize("ensemble", SEVERAL)
def test_voters_come_first_and_every_network_has_one_place(ensemble):
  maps, folds = range(ensemble.maps), range(ensemble.folds)
  voters = [place for drawn in maps for place in ensemble.voters_of(drawn)]
  others = [ensemble.without_fold(drawn, fold) for drawn in maps for fold in folds]
  assert [*voters, *others] == list(range(ensemble.count))


@pytest.mark.parametrize("ensemble", SEVERAL)
def test_networks_of_folds_have_the_replica_of_their_draw_and_a_stream_of_their_own(ensemble):
  streams = ensemble.streams()
  assert streams.shape == (ensemble.count, 2)
  for drawn in range(ensemble.maps):
    first = ensemble.voters_of(drawn)[0]
    for fold in range(ensemble.folds):
      assert streams[ensemble.without_fold(drawn, fold)].tolist() == [first, fold + 1]
  assert len(np.unique(streams, axis=0)) == ensemble.count


@pytest.mark.parametrize("ensemble", SEVERAL)
def test_folds_change_no_key_of_a_voter(ensemble):
  alone = Ensemble(ensemble.maps, ensemble.voters, 0)
  np.testing.assert_array_equal(keys(ensemble)[: alone.count], keys(alone))
  np.testing.assert_array_equal(
    keys(alone), jax.random.key_data(Replicas(alone.count, jax.devices()[:1]).keys(3))
  )
  assert len(np.unique(keys(ensemble), axis=0)) == ensemble.count
