using MedMerge.Experiments.Stages;
using MedMerge.Training;

namespace MedMerge.Tests.Experiments;

/// <summary>When a training stage keeps a checkpoint.</summary>
public class EpochLoopTests
{
    [Fact]
    public async Task A_checkpoint_is_kept_at_the_end_of_an_epoch_once_the_interval_has_passed_and_is_not_even_made_before()
    {
        var run = new Run(seconds: 30);

        await run.EpochsAsync(6, secondsEach: 12);

        Assert.Equal([3, 6], run.Saved); // after 36 s and after 72 s
        Assert.Equal(2, run.StatesMade);
    }

    [Fact]
    public async Task With_no_interval_every_epoch_keeps_one()
    {
        var run = new Run(seconds: 0);

        await run.EpochsAsync(3, secondsEach: 1);

        Assert.Equal([1, 2, 3], run.Saved);
    }

    [Fact]
    public async Task A_cancelled_epoch_keeps_one_whatever_the_time()
    {
        var run = new Run(seconds: 30);
        using var cancel = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.EpochAsync(() =>
        {
            cancel.Cancel();
            throw new OperationCanceledException(cancel.Token);
        }, cancel.Token));

        Assert.Single(run.Saved);
    }

    /// <summary>As the last epoch of a stage ends, say: its output would not be saved either.</summary>
    [Fact]
    public async Task Cancelled_as_an_epoch_ends_it_keeps_that_epoch()
    {
        using var cancel = new CancellationTokenSource();
        var run = new Run(seconds: 30, onEpoch: cancel.Cancel);

        await run.EpochAsync(() => new EpochRecord(1, 0, default), cancel.Token);

        Assert.Single(run.Saved);
    }

    [Fact]
    public async Task Without_checkpoints_no_state_is_made_and_a_cancelled_epoch_ends_all_the_same()
    {
        var run = new Run(seconds: 0, keepsCheckpoints: false);
        using var cancel = new CancellationTokenSource();

        await run.EpochsAsync(2, secondsEach: 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.EpochAsync(() =>
        {
            cancel.Cancel();
            throw new OperationCanceledException(cancel.Token);
        }, cancel.Token));

        Assert.Equal(0, run.StatesMade);
        Assert.Empty(run.Saved);
    }

    private sealed class Run : TimeProvider, ICheckpoints
    {
        private readonly EpochLoop _loop;
        private long _seconds;
        private int _epoch;

        public Run(int seconds, Action? onEpoch = null, bool keepsCheckpoints = true)
        {
            var interval = new CheckpointInterval(this, TimeSpan.FromSeconds(seconds));
            var context = new StageContext(
                null!,
                this,
                interval,
                (_, _, _) => throw new NotSupportedException(),
                (_, _) => onEpoch?.Invoke(),
                _ => { },
                default);
            _loop = new EpochLoop("weigh", context) { KeepsCheckpoints = keepsCheckpoints };
        }

        /// <summary>After how many epochs there was a checkpoint.</summary>
        public List<int> Saved { get; } = [];

        public int StatesMade { get; private set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds;

        public async Task EpochsAsync(int epochs, int secondsEach)
        {
            for (var i = 0; i < epochs; i++)
            {
                await EpochAsync(() =>
                {
                    _seconds += secondsEach;
                    return new EpochRecord(++_epoch, 0, default);
                }, CancellationToken.None);
            }
        }

        public Task EpochAsync(Func<EpochRecord> run, CancellationToken cancellation) => _loop.RunAsync(
            () => Task.FromResult(run()),
            () =>
            {
                StatesMade++;
                return Task.FromResult(new byte[1]);
            },
            count: 10,
            cancellation);

        public Task<byte[]?> LoadAsync(CancellationToken cancellation) => Task.FromResult<byte[]?>(null);

        public Task SaveAsync(byte[] state, CancellationToken cancellation)
        {
            Saved.Add(_epoch);
            return Task.CompletedTask;
        }

        public Task ClearAsync(CancellationToken cancellation) => Task.CompletedTask;
    }
}
