using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Telemetry;

namespace MedMerge.Training;

/// <summary>
/// Trains all weights data-parallel: holds the weights and AdamW's moments as plain float32 numbers, asks the workers for each shard's gradient, adds them up in
/// shard order in float64 and steps. Batch norm normalises by each shard's own images, as data-parallel training does; the running statistics are the shards' mean, by images.
/// It never sees an image or a tensor. Cancelled, it stops between two steps and can be saved there.
/// </summary>
public sealed class ShardedFineTuner
{
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private readonly FineTuneSettings _settings;
    private readonly bool _startCounts;
    private readonly float[] _weights, _best, _means, _squares;
    private readonly double[] _sum;
    private Progress _progress = new(0, TrainingHistory.Empty, 0, 0, 0);

    /// <param name="start">The model's numbers; copied.</param>
    /// <param name="parameters">How many of them are parameters; the rest are running statistics.</param>
    /// <param name="startCounts">As <see cref="FineTuner"/> takes it.</param>
    public ShardedFineTuner(float[] start, int parameters, bool startCounts, FineTuneSettings settings)
    {
        (_settings, _startCounts) = (settings, startCounts);
        (_weights, _best) = ([.. start], [.. start]);
        (_means, _squares, _sum) = (new float[parameters], new float[parameters], new double[start.Length]);
    }

    /// <summary>Whether all epochs are done.</summary>
    public bool IsDone => _progress.History.Count > _settings.Epochs;

    /// <summary>The best epoch's numbers so far, the start where there is none.</summary>
    public float[] BestWeights => _best;

    /// <summary>Every epoch so far, from 0.</summary>
    public IReadOnlyList<EpochRecord> History => _progress.History.Epochs;

    /// <summary>Runs the next epoch, or goes on with the one that was cancelled; the first call measures the start.</summary>
    /// <exception cref="InputException">The loss is no longer a number: names the epoch.</exception>
    public async Task<EpochRecord> RunEpochAsync(IFineTuneWorkers workers, CancellationToken cancellation)
    {
        var epoch = _progress.History.Count;
        while (epoch > 0 && _progress.Step < workers.StepsPerEpoch)
        {
            cancellation.ThrowIfCancellationRequested();
            await StepAsync(workers, epoch, _progress.Step, cancellation).ConfigureAwait(false);
        }
        TrainingHistory.CheckLoss(_progress.Loss, epoch, _settings);

        var validation = await workers.ValidateAsync(epoch, _weights, cancellation).ConfigureAwait(false);
        var record = new EpochRecord(epoch, epoch == 0 ? double.NaN : _progress.Loss / _progress.Images, validation);
        _progress = new Progress(_progress.OptimiserSteps, _progress.History.With(record, _startCounts), 0, 0, 0);
        if (epoch > 0 && _progress.History.BestEpoch == epoch) _weights.CopyTo(_best, 0);
        return record;
    }

    /// <summary>Everything that the next step depends on.</summary>
    public byte[] Save()
    {
        using var state = new MemoryStream();
        using var writer = new BinaryWriter(state);
        writer.Write(JsonSerializer.Serialize(_progress, Json));
        foreach (var numbers in States) writer.Write(MemoryMarshal.AsBytes(numbers.AsSpan()));
        writer.Flush();
        return state.ToArray();
    }

    /// <summary>Goes on from a state that <see cref="Save"/> gave, of a training with the same start and settings.</summary>
    /// <exception cref="InvalidDataException">It is of another length.</exception>
    public void Restore(byte[] saved)
    {
        using var state = new MemoryStream(saved);
        using var reader = new BinaryReader(state);
        _progress = JsonSerializer.Deserialize<Progress>(reader.ReadString(), Json) ?? throw new JsonException("The progress of fine-tuning is null.");
        if (state.Length - state.Position != States.Sum(numbers => (long)numbers.Length * sizeof(float))) throw new InvalidDataException("The state of fine-tuning is of another model.");
        foreach (var numbers in States) state.ReadExactly(MemoryMarshal.AsBytes(numbers.AsSpan()));
    }

    private float[][] States => [_weights, _best, _means, _squares];

    private async Task StepAsync(IFineTuneWorkers workers, int epoch, int step, CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        var question = new FineTuneStep(epoch, step, _weights);
        var parts = await ShardWait.AllAsync(workers.Shards, shard => workers.GradientAsync(shard, question, cancellation)).ConfigureAwait(false);
        Array.Clear(_sum);
        var (images, loss) = (0, 0.0);
        for (var shard = 0; shard < parts.Length; shard++)
        {
            var part = parts[shard];
            if (part.Epoch != epoch || part.Step != step || part.Shard != shard)
                throw new InvalidOperationException($"Asked for epoch {epoch}, step {step}, shard {shard}; got {part.Epoch}, {part.Step}, {part.Shard}.");
            images += part.Images;
            loss += part.Loss;
            for (var i = 0; i < _means.Length; i++) _sum[i] += part.Values[i];
            for (var i = _means.Length; i < _sum.Length; i++) _sum[i] += part.Values[i] * (double)part.Images;
        }
        for (var i = 0; i < _sum.Length; i++) _sum[i] /= images;
        AdamW.Step(_weights.AsSpan(0, _means.Length), _sum, _means, _squares, _progress.OptimiserSteps + 1, _settings.LearningRateAt(epoch, step, workers.StepsPerEpoch), _settings.WeightDecay);
        for (var i = _means.Length; i < _weights.Length; i++) _weights[i] = (float)_sum[i];
        _progress = _progress with { OptimiserSteps = _progress.OptimiserSteps + 1, Step = step + 1, Loss = _progress.Loss + loss, Images = _progress.Images + images };
        Instruments.StepDone(Instruments.FineTune, start, images);
        Instruments.Gradient(Instruments.FineTune, _sum.AsSpan(0, _means.Length));
    }

    private sealed record Progress(int OptimiserSteps, TrainingHistory History, int Step, double Loss, int Images);
}
