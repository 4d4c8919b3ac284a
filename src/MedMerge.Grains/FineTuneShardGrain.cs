using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Training;

namespace MedMerge.Grains;

/// <inheritdoc cref="IFineTuneShardGrain" />
[DevicePlacement]
internal sealed class FineTuneShardGrain(ILocalSiloDetails silo, ShardSessions<FineTuneGradientComputer> sessions, DeviceHealth deviceHealth)
    : ShardGrain<FineTuneGradientComputer>(silo, sessions, deviceHealth), IFineTuneShardGrain
{
    private readonly HashSet<int> _received = [];
    private (int Epoch, int Step) _at = (-1, 0);
    private float[] _weights = [];
    private FineTuneGradient? _answer;

    /// <inheritdoc />
    public Task PutAsync(ShardRequest request, FineTunePart part)
    {
        if (_at != (part.Epoch, part.Step) || _weights.Length != part.Total)
        {
            _at = (part.Epoch, part.Step);
            _received.Clear();
            if (_weights.Length != part.Total) _weights = new float[part.Total];
        }
        part.Values.CopyTo(_weights.AsSpan(part.Offset, Math.Min(FineTunePart.MaxLength, part.Total - part.Offset)));
        _received.Add(part.Offset);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public async Task<FineTuneAnswer> GradientAsync(ShardRequest request, int epoch, int step)
    {
        CheckWeights(epoch, step);
        var answer = _answer = await ComputeAsync(request, (_, computer) => computer.Gradient(request.Shard, new FineTuneStep(epoch, step, _weights)));
        return new FineTuneAnswer(epoch, step, answer.Shard, answer.Images, answer.Loss, answer.Values.Length);
    }

    /// <inheritdoc />
    public Task<FineTunePart> GetAsync(ShardRequest request, int epoch, int step, int offset)
    {
        if (_answer is not { } answer || (answer.Epoch, answer.Step) != (epoch, step)) throw new InvalidDataException($"The gradient of epoch {epoch}, step {step} is not here.");
        return Task.FromResult(FineTunePart.Of(epoch, step, answer.Values, offset));
    }

    /// <inheritdoc />
    public async Task<ValidationMessage> ValidateAsync(ShardRequest request, int epoch, int step)
    {
        CheckWeights(epoch, step);
        var validation = await ComputeAsync(request, (_, computer) => computer.Validate(new FineTuneStep(epoch, step, _weights), CancellationToken.None));
        return new ValidationMessage(validation.MacroF1, validation.Loss);
    }

    protected override int StepsPerEpoch(FineTuneGradientComputer computer) => computer.StepsPerEpoch;

    private void CheckWeights(int epoch, int step)
    {
        if (_at != (epoch, step) || _received.Count != FineTunePart.Offsets(_weights.Length).Count()) throw new InvalidDataException($"The weights of epoch {epoch}, step {step} are not whole.");
    }
}
