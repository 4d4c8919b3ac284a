using MedMerge.Grains;

namespace MedMerge.Storage.Tests;

public class TrialRecordTests
{
    private static readonly StoredProgress Progress = new(Outputs: 2, Checkpoints: 5);
    private static readonly TrialRecord Running = TrialRecord.Waiting(trace: null).Started(trace: null);

    /// <summary>The trial's grain may report a node for a while after the cluster has declared it dead.</summary>
    [Fact]
    public void A_late_status_does_not_bring_a_counted_death_back()
    {
        static bool IsDead(string node) => node == "b";
        var alive = Running.RunningOn(["a", "b"], _ => false);

        var uncounted = alive.RunningOn(["a", "b"], IsDead);
        var counted = uncounted.Survived(["b"], Progress);
        var late = counted.RunningOn(["a", "b"], IsDead);

        Assert.Equal(["a", "b"], uncounted.Nodes);
        Assert.Equal(1, counted.NodeDeaths);
        Assert.Equal(["a"], late.Nodes);
        Assert.Equal(WorkState.Running, late.State);
    }

    [Fact]
    public void A_death_that_is_not_counted_yet_survives_a_status_without_the_node()
    {
        var record = Running.RunningOn(["a", "b"], _ => false).RunningOn(["a", "c"], node => node == "b");
        Assert.Equal(["a", "c", "b"], record.Nodes);
    }

    [Fact]
    public void Deaths_without_progress_in_between_add_up()
    {
        var record = Running;
        for (var death = 1; death <= 3; death++)
        {
            record = record.Survived([], Progress);
            Assert.Equal(death, record.NodeDeaths);
        }
        var resumed = record.Quarantined("why").Retried();
        Assert.Equal((0, null), (resumed.NodeDeaths, resumed.ProgressAtDeath));
    }

    [Theory]
    [InlineData(3, 0)] // a stage has finished
    [InlineData(2, 6)] // an epoch has
    public void Progress_since_the_last_death_begins_the_count_anew(int outputs, int checkpoints)
    {
        var record = Running.Survived([], Progress).Survived([], Progress).Survived([], new StoredProgress(outputs, checkpoints));
        Assert.Equal(1, record.NodeDeaths);
    }
}
