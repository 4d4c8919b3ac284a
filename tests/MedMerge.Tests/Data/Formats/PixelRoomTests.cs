using MedMerge.Data.Formats.Images;

namespace MedMerge.Tests.Data.Formats;

/// <summary>Large images are decoded one after the other, however many threads there are.</summary>
public class PixelRoomTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_largest_image_has_the_room_for_itself()
    {
        var large = new PixelRoom();
        large.Take(8000, 4000, "the large one");
        large.Take(8000, 4000, "the large one"); // by another decoder, where the first one gives up

        using var small = new PixelRoom();
        var waiting = Task.Run(() => small.Take(8, 8, "the small one"), TestContext.Current.CancellationToken);
        var first = await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromSeconds(0.2), TestContext.Current.CancellationToken));
        Assert.NotSame(waiting, first);

        large.Dispose();
        large.Dispose(); // gives nothing back twice
        await waiting.WaitAsync(Deadline, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void What_takes_no_room_leaves_none()
    {
        using var room = new PixelRoom();
        Assert.Throws<InputException>(() => room.Take(8000, 4001, "'x'"));
        Assert.Throws<InputException>(() => room.Take(0, 5, "'x'"));

        using var other = new PixelRoom();
        other.Take(8000, 4000, "'y'");
    }
}
