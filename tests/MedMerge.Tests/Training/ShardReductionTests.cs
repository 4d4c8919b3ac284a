using MedMerge.Training;

namespace MedMerge.Tests.Training;

public class ShardReductionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Parts_are_added_in_shard_order_whatever_order_the_answers_come_in()
    {
        // In float64 1e16 + 1 + 1 loses both ones, and 1 + 1 + 1e16 keeps them.
        double[] losses = [1e16, 1, 1];
        foreach (var order in new int[][] { [0, 1, 2], [2, 1, 0], [1, 2, 0] })
        {
            var workers = new Workers(losses.Length);
            var added = new List<int>();
            var sum = ShardReduction.SumInOrderAsync(workers, new Step(1, 0), part => added.Add(part.Shard), Cancellation);
            foreach (var shard in order) workers.Answers[shard].SetResult(new Part(1, 0, shard, 2, losses[shard]));

            var total = await sum;

            Assert.Equal([0, 1, 2], added);
            Assert.Equal(new ShardTotal(6, 1e16), total);
        }
    }

    [Theory]
    [InlineData(2, 0, 0)]
    [InlineData(1, 1, 0)]
    [InlineData(1, 0, 1)]
    public async Task An_answer_to_another_question_is_refused_and_not_added(int epoch, int step, int shard)
    {
        var workers = new Workers(1);
        workers.Answers[0].SetResult(new Part(epoch, step, shard, 1, 1));
        var added = 0;

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            ShardReduction.SumInOrderAsync(workers, new Step(1, 0), _ => added++, Cancellation));

        Assert.Equal($"Asked for epoch 1, step 0, shard 0; got {epoch}, {step}, {shard}.", error.Message);
        Assert.Equal(0, added);
    }

    private sealed record Step(int Epoch, int Number) : IShardStep
    {
        int IShardStep.Step => Number;
    }

    private sealed record Part(int Epoch, int Step, int Shard, int Images, double Loss) : IShardGradient;

    private sealed class Workers(int shards) : IShardWorkers<Step, Part>
    {
        public TaskCompletionSource<Part>[] Answers { get; } =
            [.. Enumerable.Range(0, shards).Select(_ => new TaskCompletionSource<Part>())];

        public int Shards => shards;

        public int StepsPerEpoch => 1;

        public Task<Part> GradientAsync(int shard, Step step, CancellationToken cancellation) => Answers[shard].Task;

        public Task<Validation> ValidateAsync(Step candidate, CancellationToken cancellation) => throw new NotSupportedException();
    }
}
