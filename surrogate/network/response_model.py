"""The neural surrogate's network: geometry to kernels, and the memory that looks a half step ahead."""

# e3nn's irreps and torch's buffers come without types.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from dataclasses import asdict

import torch
from e3nn import o3
from torch import Tensor

from ..runtime.fitting_factors import CURRENTS, TOKENS
from .basis_latents import BasisLatents
from .config import ModelConfig
from .field_encoder import FieldEncoder
from .geometry_encoder import GeometryEncoder, GeometryEncoderShape
from .response_decoder import ResponseDecoder, assemble_kernel
from .token_dynamics import TokenDynamics, TokenDynamicsShape


class ResponseModel(torch.nn.Module):
    """encoder, basis, decoder: geometry to kernels. field, context, dynamics: the memory."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        shape = GeometryEncoderShape(config.elements, config.irreps, config.layers, config.cutoff)
        self.encoder = GeometryEncoder(shape)
        self.basis = BasisLatents(self.encoder.irreps, config.width)
        self.decoder = ResponseDecoder(shape, TOKENS, config.members, config.latents, config.width)
        self.field = FieldEncoder(self.encoder.irreps, o3.Irreps(TOKENS))
        self.context = torch.nn.Linear(self.basis.n_scalars, config.context)
        layers = config.memory_layers if config.memory == "mamba" else 0
        memory = TokenDynamicsShape(config.memory_width, config.memory_state, layers, config.bundle)
        self.dynamics = TokenDynamics(TOKENS, CURRENTS, config.context if config.film else None, memory)

    def features(self, numbers: Tensor, positions: Tensor, pairs: Tensor, moments: Tensor) -> Tensor:
        """Atoms (n,), positions (n, 3) bohr, pairs (2, e), basis moments (n, k) to features (n, irreps)."""
        return self.basis(self.encoder(numbers, positions, pairs), moments)

    def token_kernel(
        self,
        numbers: Tensor,
        positions: Tensor,
        pairs: Tensor,
        moments: Tensor,
        n_atoms: int,
        member: int | None = None,
    ) -> Tensor:
        """Kernels of molecules of `n_atoms` atoms each, end to end: (members, molecules, A d, A d); of one
        member alone where asked."""
        features = self.features(numbers, positions, pairs, moments)
        return assemble_kernel(*self.decoder(features, positions, pairs, member), pairs, n_atoms)

    def conditions(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What the memory needs of a geometry: context (n, c), and the field's coupling (n, d, 3)."""
        return self.context(features[:, : self.basis.n_scalars]), self.field(features)


def saved(model: ResponseModel) -> dict[str, object]:
    """The model as what `torch.save` keeps."""
    return {"config": asdict(model.config), "weights": model.state_dict()}


def restored(content: dict[str, object]) -> ResponseModel:
    """The inverse of `saved`."""
    config = content["config"]
    assert isinstance(config, dict)
    model = ResponseModel(ModelConfig(**config))
    model.load_state_dict(content["weights"])  # pyright: ignore[reportArgumentType]
    return model
